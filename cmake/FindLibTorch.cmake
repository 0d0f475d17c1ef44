# Finds LibTorch and defines the imported target LibTorch::LibTorch from its files alone. LibTorch's own
# TorchConfig.cmake is not used: on a CUDA build it demands the CUDA toolkit, which a program that does not
# link CUDA has no need of.
#
# Looks in Torch_DIR, then in CMAKE_PREFIX_PATH, each a CMake or an environment variable, for a pip install
# (<site-packages>, .../torch or .../torch/share/cmake) or the official archive's folder. A LibTorch_PREFIX
# that is set already is taken as it is. Sets LibTorch_PREFIX and LibTorch_VERSION.

if(NOT Torch_DIR)
  set(Torch_DIR "$ENV{Torch_DIR}")
endif()
if(NOT EXISTS "${LibTorch_PREFIX}/lib/libtorch_cpu.so")
  unset(LibTorch_PREFIX CACHE)  # It was found in an earlier run, and has gone since.
endif()

find_path(LibTorch_PREFIX lib/libtorch_cpu.so
  HINTS ${Torch_DIR} NO_DEFAULT_PATH
  PATH_SUFFIXES . torch ../.. ../../..
  DOC "Folder of LibTorch: it holds include/ and lib/")
if(Torch_DIR AND NOT LibTorch_PREFIX)
  message(FATAL_ERROR "Torch_DIR is ${Torch_DIR}, but no LibTorch is there (no lib/libtorch_cpu.so)")
endif()
find_path(LibTorch_PREFIX lib/libtorch_cpu.so
  HINTS ${CMAKE_PREFIX_PATH} ENV CMAKE_PREFIX_PATH NO_DEFAULT_PATH
  PATH_SUFFIXES . torch ../.. ../../..)
mark_as_advanced(LibTorch_PREFIX)

if(LibTorch_PREFIX)
  file(REAL_PATH "${LibTorch_PREFIX}" LibTorch_PREFIX)
  set(_header "${LibTorch_PREFIX}/include/torch/headeronly/version.h")
  if(NOT EXISTS "${_header}")  # Its place in older versions.
    set(_header "${LibTorch_PREFIX}/include/torch/csrc/api/include/torch/version.h")
  endif()
  file(STRINGS "${_header}" _lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9;]" "" LibTorch_VERSION "${_lines}")
  list(JOIN LibTorch_VERSION "." LibTorch_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_PREFIX
  VERSION_VAR LibTorch_VERSION)

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  # A whole LibTorch ships its own fmt, protobuf and others beside its headers. Links to the folders that
  # are LibTorch's keep those copies from hiding the system's.
  set(_include "${CMAKE_BINARY_DIR}/libtorch-include")
  file(MAKE_DIRECTORY "${_include}")
  foreach(_folder IN ITEMS ATen c10 caffe2 torch)
    file(CREATE_LINK "${LibTorch_PREFIX}/include/${_folder}" "${_include}/${_folder}" SYMBOLIC)
  endforeach()

  add_library(LibTorch::LibTorch SHARED IMPORTED)
  set_target_properties(LibTorch::LibTorch PROPERTIES
    IMPORTED_LOCATION "${LibTorch_PREFIX}/lib/libtorch_cpu.so"
    INTERFACE_LINK_LIBRARIES "${LibTorch_PREFIX}/lib/libc10.so"
    INTERFACE_INCLUDE_DIRECTORIES "${_include};${_include}/torch/csrc/api/include"
    INTERFACE_COMPILE_FEATURES cxx_std_20)
endif()
