# Every tests/c/test_*.c is one program, linked with the static library so that it may also reach what
# bwtree.h hides (impl/src is on its include path). An exit code of 77 means: cannot run here.
file(GLOB BWTREE_TEST_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/c/test_*.c)

foreach(source IN LISTS BWTREE_TEST_SOURCES)
  cmake_path(GET source STEM name)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/impl/src
                             ${PROJECT_SOURCE_DIR}/tests/c)
  target_link_libraries(${name} PRIVATE bwtree_static bwtree_flags)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endforeach()

# The recorder of histories and their checker are C, too: one test runs them, and so do the sanitizers.
file(GLOB BWTREE_RECORDED_SOURCES CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/model_check/recorder/*.c
     ${PROJECT_SOURCE_DIR}/model_check/linearizability/*.c)
target_sources(test_recorded PRIVATE ${BWTREE_RECORDED_SOURCES})
target_include_directories(test_recorded PRIVATE ${PROJECT_SOURCE_DIR}/model_check
                           ${PROJECT_SOURCE_DIR}/model_check/recorder)
target_link_libraries(test_recorded PRIVATE m ${CMAKE_DL_LIBS})
target_link_options(test_recorded PRIVATE -Wl,--wrap=bw_page_range)

# This one stands before two functions that files of the library call in each other.
target_link_options(test_forced_races PRIVATE -Wl,--wrap=bw_page_range -Wl,--wrap=bw_find)

# And this one before the function that starts a thread, which may fail.
target_link_options(test_worker PRIVATE -Wl,--wrap=pthread_create)
