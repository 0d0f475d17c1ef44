# LibTorch's headers are most of the compile time; these are compiled once for the library, the apps and the tests.
# All of <torch/torch.h> would take a third longer here, and three seconds more in every source.
set(UNROLL_PRECOMPILED_HEADERS
  torch/data/datasets/base.h
  torch/nn/functional/embedding.h
  torch/nn/functional/loss.h
  torch/nn/modules/linear.h
  torch/nn/modules/rnn.h
  torch/optim/adagrad.h
  torch/optim/adam.h
  torch/optim/sgd.h
  torch/types.h)

if(UNROLL_PCH)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/generated/pch.cpp" CONTENT "")
  add_library(unroll_pch OBJECT "${PROJECT_BINARY_DIR}/generated/pch.cpp")
  target_link_libraries(unroll_pch PRIVATE LibTorch::LibTorch unroll_build_options)
  list(TRANSFORM UNROLL_PRECOMPILED_HEADERS REPLACE "(.+)" "<\\1>" OUTPUT_VARIABLE headers)
  target_precompile_headers(unroll_pch PRIVATE ${headers})
endif()

# Gives the sources of `target` the precompiled headers, except for those that follow: they include none of LibTorch's.
# Lint.cmake reads the properties too.
function(unroll_use_precompiled_headers target)
  set_target_properties(${target} PROPERTIES UNROLL_USES_PRECOMPILED_HEADERS ON)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
  if(UNROLL_PCH)
    target_precompile_headers(${target} REUSE_FROM unroll_pch)
  endif()
endfunction()
