# Fetches the LibTorch that libtorch-requirements.txt pins, once per machine: it stays in UNROLL_CACHE_DIR,
# outside the build tree, for every preset and every clone.

set(_cache_home "$ENV{XDG_CACHE_HOME}")
if(NOT _cache_home)
  set(_cache_home "$ENV{HOME}/.cache")
endif()
set(UNROLL_CACHE_DIR "${_cache_home}/unroll" CACHE PATH "Where the fetched LibTorch is kept")

# What C++ needs of the wheels: the CPU library, what it loads, and the headers.
set(_torch_files
  torch/lib/libc10.so torch/lib/libtorch_cpu.so torch/lib/libgomp*
  torch/include/ATen torch/include/c10 torch/include/caffe2 torch/include/torch)
set(_nvidia_cuda_runtime_files nvidia/cu13/lib/libcudart.so.13)
set(_nvidia_cuda_cupti_files nvidia/cu13/lib/libcupti.so.13)

# Sets `prefix` to the folder of the pinned LibTorch, which it fetches unless it is there.
function(unroll_fetch_libtorch prefix)
  set(requirements "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/libtorch-requirements.txt")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${requirements}")
  file(STRINGS "${requirements}" version REGEX "^torch==")
  string(REGEX MATCH "[0-9.]+" version "${version}")
  file(SHA256 "${requirements}" key)
  string(SUBSTRING "${key}" 0 8 key)
  set(folder "${UNROLL_CACHE_DIR}/libtorch-${version}-${key}")
  set(${prefix} "${folder}/torch" PARENT_SCOPE)

  # The folder gets its name last, when it is whole; the lock is for configures that run side by side.
  file(MAKE_DIRECTORY "${UNROLL_CACHE_DIR}")
  file(LOCK "${folder}.lock" GUARD FUNCTION)
  if(IS_DIRECTORY "${folder}")
    return()
  endif()

  string(CONCAT advice
    "To use a LibTorch of your own, version ${UNROLL_LIBTORCH_MINIMUM} or newer, set CMAKE_PREFIX_PATH to it: "
    "to the folder of the archive from pytorch.org, or to what "
    "`python3 -c 'import torch; print(torch.utils.cmake_prefix_path)'` prints.")
  if(NOT "${CMAKE_SYSTEM_NAME} ${CMAKE_SYSTEM_PROCESSOR}" STREQUAL "Linux x86_64")
    message(FATAL_ERROR "No LibTorch is pinned for ${CMAKE_SYSTEM_NAME} ${CMAKE_SYSTEM_PROCESSOR}. ${advice}")
  endif()

  message(STATUS "Fetching LibTorch ${version} from PyPI (550 MB, once) into ${folder}")
  set(partial "${folder}.partial")
  file(REMOVE_RECURSE "${partial}")
  set(platforms)
  foreach(glibc_minor RANGE 17 28)  # pip takes only exact matches.
    list(APPEND platforms --platform manylinux_2_${glibc_minor}_x86_64)
  endforeach()
  execute_process(
    COMMAND python3 -m pip download --disable-pip-version-check --no-cache-dir --no-deps --require-hashes
      --only-binary=:all: --implementation cp --python-version 3.11 ${platforms}
      --dest "${partial}" --requirement "${requirements}"
    RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "pip could not download LibTorch (${result}). ${advice}")
  endif()

  foreach(package IN ITEMS torch nvidia_cuda_runtime nvidia_cuda_cupti)
    file(GLOB wheel "${partial}/${package}-*.whl")
    file(ARCHIVE_EXTRACT INPUT "${wheel}" DESTINATION "${partial}" PATTERNS ${_${package}_files})
    file(REMOVE "${wheel}")
  endforeach()
  file(RENAME "${partial}" "${folder}")
endfunction()
