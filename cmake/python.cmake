# The Python extensions: bwtree._native (the map) and model_check._recorder (the recorder of
# histories, with the linearizability checker). Each is a C file that cffi generates at build time, linked with the static library.
# With a Python that has the limited API, they are abi3: one build serves all versions from 3.10.
if(CMAKE_VERSION VERSION_LESS 3.26)
  message(FATAL_ERROR "The Python extensions need CMake 3.26 or later, this is ${CMAKE_VERSION}")
endif()
find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module
             ${SKBUILD_SABI_COMPONENT})

# Headers and C sources: when one of them changes, the C code is generated anew.
function(bwtree_extension name script package)
  set(generated ${PROJECT_BINARY_DIR}/${name}.c)
  add_custom_command(
    OUTPUT ${generated}
    COMMAND Python::Interpreter ${script} ${generated}
    DEPENDS ${script} ${ARGN}
    COMMENT "Generating ${name}.c"
    VERBATIM)
  if(SKBUILD_SABI_VERSION)
    python_add_library(${name} MODULE WITH_SOABI USE_SABI ${SKBUILD_SABI_VERSION} ${generated})
  else()
    python_add_library(${name} MODULE WITH_SOABI ${generated})
    target_compile_definitions(${name} PRIVATE _CFFI_NO_LIMITED_API)
  endif()
  target_link_libraries(${name} PRIVATE bwtree_static)
  install(TARGETS ${name} LIBRARY DESTINATION ${package} COMPONENT python)
endfunction()

bwtree_extension(_native ${PROJECT_SOURCE_DIR}/impl/bwtree/build_ffi.py bwtree
                 ${PROJECT_SOURCE_DIR}/impl/include/bwtree.h)

# The recorder and the linearizability checker share one extension: histories stay in C between them.
file(GLOB BWTREE_RECORDER_SOURCES CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/model_check/recorder/*.c
     ${PROJECT_SOURCE_DIR}/model_check/linearizability/*.c)
file(GLOB BWTREE_RECORDER_HEADERS CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/model_check/recorder/*.h
     ${PROJECT_SOURCE_DIR}/model_check/linearizability/*.h
     ${PROJECT_SOURCE_DIR}/model_check/linearizability/include/*.h)
bwtree_extension(_recorder ${PROJECT_SOURCE_DIR}/model_check/recorder/build_ffi.py model_check
                 ${PROJECT_SOURCE_DIR}/impl/include/bwtree.h ${BWTREE_RECORDER_HEADERS})
target_sources(_recorder PRIVATE ${BWTREE_RECORDER_SOURCES})
target_link_libraries(_recorder PRIVATE ${CMAKE_DL_LIBS})
target_include_directories(_recorder PRIVATE ${PROJECT_SOURCE_DIR}/model_check/recorder
                           ${PROJECT_SOURCE_DIR}/model_check/linearizability)
# The engine's cursor once more, telling what it reads: in the place of the library's.
set_source_files_properties(${PROJECT_SOURCE_DIR}/model_check/recorder/told_cursor.c PROPERTIES
                            INCLUDE_DIRECTORIES ${PROJECT_SOURCE_DIR}/impl/src)
