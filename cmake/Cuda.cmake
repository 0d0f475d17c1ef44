# CUDA's compiler: the one that CMAKE_CUDA_COMPILER or the environment's CUDACXX names, else the pinned one, which is
# fetched. Enables the language CUDA and defines the imported target unroll_cudart, the runtime that LibTorch loads too.
# UNROLL_NCCL_INCLUDE_DIR is where NCCL's header is: beside a LibTorch that pip has installed, in the system, or fetched.

include(FetchWheels)

if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  set(nvidia_cuda_nvcc_files nvidia/cu13/bin)
  set(nvidia_cuda_cccl_files nvidia/cu13/include/cccl)
  set(nvidia_cuda_crt_files nvidia/cu13/include/crt)
  set(nvidia_cuda_runtime_files nvidia/cu13/include nvidia/cu13/lib)
  set(nvidia_nvvm_files nvidia/cu13/nvvm)
  string(CONCAT advice
    "To use a CUDA compiler of your own, of the major release that your LibTorch was built with, "
    "set CMAKE_CUDA_COMPILER to its nvcc.")
  unroll_fetch_wheels(folder nvidia_cuda_nvcc nvidia_cuda_cccl nvidia_cuda_crt nvidia_cuda_runtime nvidia_nvvm
    NAME nvcc SIZE "105 MB" ADVICE "${advice}"
    REQUIREMENTS "${CMAKE_CURRENT_LIST_DIR}/nvcc-requirements.txt")
  set(CMAKE_CUDA_COMPILER "${folder}/nvidia/cu13/bin/nvcc")
endif()
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
  set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 90-real 100-real 120)  # Newer GPUs translate the last one's.
endif()
enable_language(CUDA)

cmake_path(GET CMAKE_CUDA_COMPILER PARENT_PATH _bin)
cmake_path(GET _bin PARENT_PATH _toolkit)
if(NOT UNROLL_CUDART_TOOLKIT STREQUAL _toolkit)
  unset(UNROLL_CUDART_INCLUDE_DIR CACHE)
  unset(UNROLL_CUDART CACHE)
  set(UNROLL_CUDART_TOOLKIT "${_toolkit}" CACHE INTERNAL "Where the two below were found")
endif()
find_path(UNROLL_CUDART_INCLUDE_DIR cuda_runtime_api.h
  HINTS "${_toolkit}" ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES} PATH_SUFFIXES include NO_DEFAULT_PATH REQUIRED)
find_library(UNROLL_CUDART NAMES cudart libcudart.so.13 libcudart.so.12
  HINTS "${_toolkit}" ${CMAKE_CUDA_IMPLICIT_LINK_DIRECTORIES} PATH_SUFFIXES lib64 lib NO_DEFAULT_PATH REQUIRED)
mark_as_advanced(UNROLL_CUDART_INCLUDE_DIR UNROLL_CUDART)
add_library(unroll_cudart SHARED IMPORTED)
set_target_properties(unroll_cudart PROPERTIES
  IMPORTED_LOCATION "${UNROLL_CUDART}"
  INTERFACE_INCLUDE_DIRECTORIES "${UNROLL_CUDART_INCLUDE_DIR}")

find_path(UNROLL_NCCL_INCLUDE_DIR nccl.h HINTS "${LibTorch_PREFIX}/../nvidia/nccl/include"
  DOC "Folder of NCCL's header, of the release that LibTorch was built with")
mark_as_advanced(UNROLL_NCCL_INCLUDE_DIR)
if(NOT UNROLL_NCCL_INCLUDE_DIR)
  set(nvidia_nccl_cu13_files nvidia/nccl/include)
  unroll_fetch_wheels(folder nvidia_nccl_cu13
    NAME nccl SIZE "216 MB" ADVICE "To use a header of your own, set UNROLL_NCCL_INCLUDE_DIR to its folder."
    REQUIREMENTS "${CMAKE_CURRENT_LIST_DIR}/nccl-requirements.txt")
  set(UNROLL_NCCL_INCLUDE_DIR "${folder}/nvidia/nccl/include")
endif()
