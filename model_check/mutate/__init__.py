"""Mutants of impl/src that a program makes: operators, constants, conditions, deleted statements.

`generate` makes them from the syntax tree, `judge` runs the tests on one, `explained` says which
survivors are no mutants at all and why, `command` is `bwcheck mutate`. Memory orders are weakened
by `bwcheck orders`.
"""
