include(FetchWheels)

# Defines the target `lint`: the pinned clang-tidy over every source of the targets in the given folders. A source is
# read again only when it or a project header has changed since it last passed. Configure with UNROLL_PCH off:
# clang-tidy cannot read GCC's precompiled headers. What it can do is to build a Clang module of the same headers and
# keep it in `cache`, with which a source takes a third to a half of the time.
function(unroll_add_lint)
  set(clang_tidy_files clang_tidy)
  unroll_fetch_wheels(folder clang_tidy NAME clang-tidy SIZE "45 MB" ADVICE ""
    REQUIREMENTS "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/clang-tidy-requirements.txt")
  set(clang_tidy "${folder}/clang_tidy/data/bin/clang-tidy")
  set(module_folder "${PROJECT_BINARY_DIR}/lint/module")
  list(TRANSFORM UNROLL_PRECOMPILED_HEADERS REPLACE "(.+)" "#include <\\1>\n" OUTPUT_VARIABLE includes)
  list(JOIN includes "" includes)
  file(CONFIGURE OUTPUT "${module_folder}/precompiled.h" CONTENT "${includes}")
  file(CONFIGURE OUTPUT "${module_folder}/module.modulemap"
    CONTENT "module Precompiled { header \"precompiled.h\" export * }\n")
  set(module_options -fmodules "-fmodule-map-file=${module_folder}/module.modulemap"
    "-fmodules-cache-path=${module_folder}/cache" -include "${module_folder}/precompiled.h")
  # One module serves all targets: what they define is nothing to LibTorch. A macro that is not here costs time only.
  foreach(macro IN ITEMS FMT_SHARED GTEST_HAS_PTHREAD HWY_SHARED_DEFINE UNROLL_BINARY_DIR UNROLL_CRAFTED_DIR
      UNROLL_GOLDEN_DIR UNROLL_LIBRARY UNROLL_STREAM)
    list(APPEND module_options "-fmodules-ignore-macro=${macro}")
  endforeach()
  list(TRANSFORM module_options PREPEND --extra-arg-before=)

  set(stamps)
  set(headers)
  foreach(folder IN LISTS ARGN)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/*.h")
    list(APPEND headers ${found})
  endforeach()

  foreach(folder IN LISTS ARGN)
    get_property(targets DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}" PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target IN LISTS targets)
      get_target_property(sources ${target} SOURCES)
      get_target_property(precompiled ${target} UNROLL_USES_PRECOMPILED_HEADERS)
      list(FILTER sources INCLUDE REGEX "\\.cpp$")
      foreach(source IN LISTS sources)
        set(path "${PROJECT_SOURCE_DIR}/${folder}/${source}")
        set(stamp "${PROJECT_BINARY_DIR}/lint/${folder}/${source}.passed")
        cmake_path(GET stamp PARENT_PATH stamp_folder)
        file(MAKE_DIRECTORY "${stamp_folder}")
        get_source_file_property(skip "${path}" TARGET_DIRECTORY ${target} SKIP_PRECOMPILE_HEADERS)
        set(options)
        if(precompiled AND NOT skip)
          set(options ${module_options})
        endif()
        add_custom_command(OUTPUT "${stamp}"
          COMMAND "${clang_tidy}" -p "${PROJECT_BINARY_DIR}" --quiet ${options} "${path}"
          COMMAND "${CMAKE_COMMAND}" -E touch "${stamp}"
          DEPENDS "${path}" ${headers} "${PROJECT_SOURCE_DIR}/.clang-tidy"
          COMMENT "Linting ${folder}/${source}"
          VERBATIM)
        list(APPEND stamps "${stamp}")
      endforeach()
    endforeach()
  endforeach()
  add_custom_target(lint DEPENDS ${stamps})
endfunction()
