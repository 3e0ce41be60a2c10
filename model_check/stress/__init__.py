"""The stress farm: many recorded runs of the shipped library, each checked in full.

``grid``       which runs there are
``cell``       one of them: run, record, check
``farm``       all of them, on pytest-xdist; ``farm_test`` is the module that its workers run
``soak``       round after round on the same trees, with memory watched
``command``    ``bwcheck stress``
"""
