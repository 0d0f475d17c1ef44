# Fetches the LibTorch that libtorch-requirements.txt pins.

include(FetchWheels)

# Sets `prefix` to the folder of the pinned LibTorch, which it fetches unless it is there.
function(unroll_fetch_libtorch prefix)
  # What C++ needs of the wheels: the CPU library, what it loads, and the headers.
  set(torch_files
    torch/lib/libc10.so torch/lib/libtorch_cpu.so torch/lib/libgomp*
    torch/include/ATen torch/include/c10 torch/include/caffe2 torch/include/torch)
  set(nvidia_cuda_runtime_files nvidia/cu13/lib/libcudart.so.13)
  set(nvidia_cuda_cupti_files nvidia/cu13/lib/libcupti.so.13)
  string(CONCAT advice
    "To use a LibTorch of your own, version ${UNROLL_LIBTORCH_MINIMUM} or newer, set CMAKE_PREFIX_PATH to it: "
    "to the folder of the archive from pytorch.org, or to what "
    "`python3 -c 'import torch; print(torch.utils.cmake_prefix_path)'` prints.")
  unroll_fetch_wheels(folder torch nvidia_cuda_runtime nvidia_cuda_cupti
    NAME libtorch SIZE "550 MB" ADVICE "${advice}"
    REQUIREMENTS "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/libtorch-requirements.txt")
  set(${prefix} "${folder}/torch" PARENT_SCOPE)
endfunction()
