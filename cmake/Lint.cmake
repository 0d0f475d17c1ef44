include(FetchWheels)

# Defines the target `lint`: the pinned clang-tidy over every source of the targets in the given folders. A source is
# read again only when it or a project header has changed since it last passed. Configure with UNROLL_PCH off:
# clang-tidy cannot read GCC's precompiled headers.
function(unroll_add_lint)
  set(clang_tidy_files clang_tidy)
  unroll_fetch_wheels(folder clang_tidy NAME clang-tidy SIZE "45 MB" ADVICE ""
    REQUIREMENTS "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/clang-tidy-requirements.txt")
  set(clang_tidy "${folder}/clang_tidy/data/bin/clang-tidy")
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
      list(FILTER sources INCLUDE REGEX "\\.cpp$")
      foreach(source IN LISTS sources)
        set(path "${PROJECT_SOURCE_DIR}/${folder}/${source}")
        set(stamp "${PROJECT_BINARY_DIR}/lint/${folder}/${source}.passed")
        cmake_path(GET stamp PARENT_PATH stamp_folder)
        file(MAKE_DIRECTORY "${stamp_folder}")
        add_custom_command(OUTPUT "${stamp}"
          COMMAND "${clang_tidy}" -p "${PROJECT_BINARY_DIR}" --quiet "${path}"
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
