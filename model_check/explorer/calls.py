"""Which functions of the C library a program under the explorer may call.

The runtime takes over those that touch other threads, memory, time or output
(:func:`model_check.explorer.build.wrapped`). :data:`HARMLESS` are those that only compute from
their arguments. Every other call is refused: what is not modelled must not pass silently.
"""

from __future__ import annotations

#: These run as they are.
HARMLESS = frozenset(
    (  # noqa: SIM905 - a list of so many literals is harder to read
        """
    abs labs llabs div ldiv atoi atol atoll strtol strtoll strtoul strtoull strtod
    isalpha isdigit isalnum isspace isupper islower isxdigit isprint toupper tolower
    __ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc __errno_location
    strncmp strchr strrchr strstr strnlen memchr strerror
    getenv secure_getenv sysconf getpid
    sqrt floor ceil fabs pow log log2 exp sin cos round trunc fmod
    qsort bsearch
    pthread_attr_init pthread_attr_destroy pthread_attr_setdetachstate
    pthread_attr_setstacksize pthread_attr_getdetachstate
    __cpu_model __cpu_indicator_init __cpu_features2
    stdout stderr stdin
    __stack_chk_fail
    """
    ).split()
)

_REASONS = {
    "fork": "another process",
    "vfork": "another process",
    "execve": "another program",
    "system": "another program",
    "longjmp": "jumps between stacks",
    "setjmp": "jumps between stacks",
    "_setjmp": "jumps between stacks",
    "syscall": "the kernel's calls are not seen",
}


def explain(name: str) -> str:
    """Say in a sentence why a call of ``name`` is refused."""
    reason = _REASONS.get(name)
    if name.startswith(("__atomic_", "__sync_")):
        return (
            f"the program calls {name}, which the compiler makes of atomic accesses of unusual "
            "size or alignment: the explorer knows those of 1, 2, 4 and 8 bytes"
        )
    if name.startswith("pthread_rwlock"):
        reason = "reader-writer locks are not modelled"
    elif name.startswith("sem_"):
        reason = "semaphores are not modelled"
    elif name.startswith("pthread_barrier"):
        reason = "barriers are not modelled"
    detail = f" ({reason})" if reason is not None else ""
    return f"the program calls {name}, which the explorer does not model{detail}"
