# Flags that everything of this project is compiled with: the interface library bwtree_flags.
find_package(Threads REQUIRED)

add_library(bwtree_flags INTERFACE)
target_compile_options(bwtree_flags INTERFACE -Wall -Wextra -Wshadow -Wstrict-prototypes
                       -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla)
if(BWTREE_WERROR)
  target_compile_options(bwtree_flags INTERFACE -Werror)
endif()
target_link_libraries(bwtree_flags INTERFACE Threads::Threads)

if(BWTREE_SANITIZE)
  target_compile_options(bwtree_flags INTERFACE -fsanitize=${BWTREE_SANITIZE}
                         -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(bwtree_flags INTERFACE -fsanitize=${BWTREE_SANITIZE})
  if(BWTREE_SANITIZE MATCHES "thread" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    # gcc warns that its ThreadSanitizer does not model atomic_thread_fence.
    target_compile_options(bwtree_flags INTERFACE -Wno-tsan)
  endif()
endif()
