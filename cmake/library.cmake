# The library: bwtree::bwtree_static and, if asked for, bwtree::bwtree_shared, from the same sources.
file(GLOB BWTREE_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/impl/src/*.c)

# Searches with wide vectors are compiled for processors that may not be this one: only these files
# get the flags, and only code that has asked the processor calls them.
set(BWTREE_X86_ONLY search_avx2.c search_avx512.c)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set_source_files_properties(${PROJECT_SOURCE_DIR}/impl/src/search_avx2.c PROPERTIES
                              COMPILE_OPTIONS "-mavx2;-mbmi2")
  set_source_files_properties(
    ${PROJECT_SOURCE_DIR}/impl/src/search_avx512.c PROPERTIES COMPILE_OPTIONS
    "-mavx512f;-mpopcnt;-mbmi;-mbmi2")
else()
  foreach(name IN LISTS BWTREE_X86_ONLY)
    list(REMOVE_ITEM BWTREE_SOURCES ${PROJECT_SOURCE_DIR}/impl/src/${name})
  endforeach()
endif()

function(bwtree_library target kind)
  add_library(${target} ${kind} ${BWTREE_SOURCES})
  add_library(bwtree::${target} ALIAS ${target})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME bwtree VERSION ${PROJECT_VERSION}
                        SOVERSION ${PROJECT_VERSION_MAJOR})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/impl/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:bwtree_flags> PUBLIC Threads::Threads)
endfunction()

bwtree_library(bwtree_static STATIC)
if(BWTREE_SHARED)
  bwtree_library(bwtree_shared SHARED)
  # Only what bwtree.h marks with BW_API is visible.
  target_compile_definitions(bwtree_shared PRIVATE BW_SHARED)
endif()
