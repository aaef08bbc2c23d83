"""Acts: everything that an agency can do on the ledger, each described once.

An act is a row of the table `ACTS` (`api.acts.table`): its name, its REST path, who may do it, the
contract and function that it calls, a strict model of the body, and a function that turns the body
into the call's arguments. From this one row come

1. its route, `POST /v1/<path>`, which promises the act through the outbox and answers 202;
2. `POST /v1/explain`, a dry run of the same act with the same refusals, which changes nothing;
3. `POST /v1/prepared-acts`, the act as EIP-712 typed data for a signer's own device;
4. `POST /v1/signed-acts`, which submits what was signed there (the contract's `relay`);
5. its operation in the OpenAPI document.

To add an act, in a module for its contract (`catalogue.py` is a short example):

    class LiftStop(ActBody):                      # strict body; ActBody brings `event_time`
        '''Lift a stop before its end.'''         # becomes the description

    async def _lift(context: ActContext, body: LiftStop) -> PreparedAct:
        uid = context.get_uid()                   # {uid} of the path; take_uid(body.uid) to create
        return PreparedAct(uid=uid, args={"uid": uid})

    STOP_ACTS = (
        Act(
            name="stop.lift",                     # noun.verb; the operation id is `lift_stop`
            path="/stops/{uid}/lift",             # the first part is also the record's collection
            summary="Lift a stop",
            contract=BASES_NAME,
            function="lift",
            key_role=KeyRole.SUPERVISE,           # what the signing key must be allowed
            roles=(Role.SUPERVISOR,),             # which tokens may ask for it
            model=LiftStop,
            prepare=_lift,
        ),
    )

and name the tuple in `table.py`. Rules that keep acts simple:

- `args` go by the names of the contract's ABI; structs are dicts by member name, so a struct that
  gains a member costs one line. `event_time` is filled in: leave it out. Times are seconds.
- `prepare` reads what it must (`context.read(...)`), translates words into numbers and refuses only
  what the contract cannot see (an unknown field name, an envelope that does not open). Every other
  rule is the contract's own; its refusal reaches the caller by way of `api.rest.refusals`.
- `texts` are public texts, stored with the promise. `keep` stores private materials; it is called
  after the dry run has passed and just before the promise is made, and must bear being repeated.
- `envelope` goes back to the caller, who hands it to the other side. An equal request that comes
  again gets it from `Act.recall`.
- `basis` and `dataset` say on what the act rests, so that a refusal can name the law.
- `Act.facts` (optional) adds to the answer of `explain`, such as what the law says of a request.
"""
