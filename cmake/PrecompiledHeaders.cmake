# Precompiles LibTorch's headers, which are most of the compile time, once for the library, the apps and the tests.
# All of <torch/torch.h> would take a third longer here, and three seconds more in every source.
if(UNROLL_PCH)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/generated/pch.cpp" CONTENT "")
  add_library(unroll_pch OBJECT "${PROJECT_BINARY_DIR}/generated/pch.cpp")
  target_link_libraries(unroll_pch PRIVATE LibTorch::LibTorch unroll_build_options)
  target_precompile_headers(unroll_pch PRIVATE
    <torch/data/datasets/base.h>
    <torch/nn/functional/embedding.h>
    <torch/nn/functional/loss.h>
    <torch/nn/modules/linear.h>
    <torch/nn/modules/rnn.h>
    <torch/optim/adagrad.h>
    <torch/optim/adam.h>
    <torch/optim/sgd.h>
    <torch/types.h>)
endif()

# Gives `target` the precompiled headers, except for the sources that follow: they include none of LibTorch's, and
# compile in a second without.
function(unroll_use_precompiled_headers target)
  if(UNROLL_PCH)
    target_precompile_headers(${target} REUSE_FROM unroll_pch)
    set_source_files_properties(${ARGN} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()
