"""Corpora from the network: those of the catalogue, and by id those of the index that the package mtdata ships.

Only `onmal corpus` comes here. Everything goes over https, is held to a size and a checksum, and counts when it is whole.
"""
