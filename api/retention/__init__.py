"""How long what is in the vault is kept: classes as data, and pruning what has come to its end.

Law and archives decide how long; so a class is a line of a file, with the law that it rests on and
whether somebody has checked it. The program counts time and tells what it did.
"""
