"""Provenance: who did what to a record, when, why and on which basis; shaped after W3C PROV.

Agencies are agents, records are entities, events are activities. `attested` tells it of
attestations, batches and schemas, `law` of the records of the ledger's law with all that they
rest on; `prov_json` writes either as W3C PROV-JSON, in which an exchange is an activity itself.
"""
