"""Every mutant of the project in one table, and which checker kills it.

`mutant` says what a mutant and a cell of the table are, `registry` gathers all mutants from where
they live, `engine` has those of the C that no other module has. `builds` builds a broken engine,
`cells` runs a checker on it; `table` puts the results together and `command` is `bwcheck mutants`.
"""
