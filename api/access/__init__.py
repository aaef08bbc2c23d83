"""Who calls the API, what they may do, how often, and what of the vault they have read.

Three kinds of proof make a *caller*: a bearer token of the operator's file (`tokens`), a JSON Web
Token of an OpenID Connect provider (`oidc`), and the certificate of a machine that speaks mutual
TLS (`certificates`). All three end in the same thing, a name with roles and limits (`callers`), so
that nothing behind the door asks by which of them somebody came in.

    credentials -> caller -> roles of the route -> limits -> handler -> record of reads -> vault

`admission` is the door: one middleware for every surface. `rules` reads the file that says which
providers and certificates there are. `limits` counts. `reads` is the other end: what is opened in
the vault is written down first, with who opened it and for what purpose.
"""
