"""Searching what is stored, logged and sent for values that should be nowhere.

`needles` turns a value into every byte string that it may leave behind, `matcher` looks for a
million such strings at once, `fields` and `containers` take stored bytes apart into what they hold,
`opener` does so with many values at once (`joined`, `spans`, `screens`), `folders` walks over what
a node keeps, and `guesses` hashes what somebody could guess. The demonstrations and `atesta audit
privacy` share all of it.
"""
