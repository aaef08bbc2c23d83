"""What `atesta audit privacy` does: it looks for this agency's secrets where they should not be.

`values` opens the vault and makes a list of what to look for, `running` searches stores, files and
chains for all of it with controls planted everywhere, `report` is the signed account of the search.
"""
