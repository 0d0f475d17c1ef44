# Fetches wheels from PyPI that a requirements file pins by content, once per machine: what is wanted of them stays
# in UNROLL_CACHE_DIR, outside the build tree, for every preset and every clone.

set(_cache_home "$ENV{XDG_CACHE_HOME}")
if(NOT _cache_home)
  set(_cache_home "$ENV{HOME}/.cache")
endif()
set(UNROLL_CACHE_DIR "${_cache_home}/unroll" CACHE PATH "Where what is fetched is kept")

# unroll_fetch_wheels(<folder> NAME <name> REQUIREMENTS <file> SIZE <text> ADVICE <text> <package>...)
#
# Sets <folder> to the folder that holds, of each package, the files in the list <package>_files, and fetches them
# unless they are there. The first package's version is in the folder's name. ADVICE ends the error if it fails.
function(unroll_fetch_wheels folder_variable)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAME;REQUIREMENTS;SIZE;ADVICE" "")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${arg_REQUIREMENTS}")
  file(STRINGS "${arg_REQUIREMENTS}" version REGEX "^[a-z-]+==" LIMIT_COUNT 1)
  string(REGEX MATCH "[0-9.]+" version "${version}")
  file(SHA256 "${arg_REQUIREMENTS}" key)
  string(SUBSTRING "${key}" 0 8 key)
  set(folder "${UNROLL_CACHE_DIR}/${arg_NAME}-${version}-${key}")
  set(${folder_variable} "${folder}" PARENT_SCOPE)

  # The folder gets its name last, when it is whole; the lock is for configures that run side by side.
  file(MAKE_DIRECTORY "${UNROLL_CACHE_DIR}")
  file(LOCK "${folder}.lock" GUARD FUNCTION)
  if(IS_DIRECTORY "${folder}")
    return()
  endif()

  if(NOT "${CMAKE_SYSTEM_NAME} ${CMAKE_SYSTEM_PROCESSOR}" STREQUAL "Linux x86_64")
    message(FATAL_ERROR
      "No ${arg_NAME} is pinned for ${CMAKE_SYSTEM_NAME} ${CMAKE_SYSTEM_PROCESSOR}. ${arg_ADVICE}")
  endif()
  message(STATUS "Fetching ${arg_NAME} ${version} from PyPI (${arg_SIZE}, once) into ${folder}")
  set(partial "${folder}.partial")
  file(REMOVE_RECURSE "${partial}")
  set(platforms)
  foreach(glibc_minor RANGE 12 28)  # pip takes only exact matches.
    list(APPEND platforms --platform manylinux_2_${glibc_minor}_x86_64)
  endforeach()
  execute_process(
    COMMAND python3 -m pip download --disable-pip-version-check --no-cache-dir --no-deps --require-hashes
      --only-binary=:all: --implementation cp --python-version 3.11 ${platforms}
      --dest "${partial}" --requirement "${arg_REQUIREMENTS}"
    RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "pip could not download ${arg_NAME} (${result}). ${arg_ADVICE}")
  endif()

  foreach(package IN LISTS arg_UNPARSED_ARGUMENTS)
    file(GLOB wheel "${partial}/${package}-*.whl")
    file(ARCHIVE_EXTRACT INPUT "${wheel}" DESTINATION "${partial}" PATTERNS ${${package}_files})
    file(REMOVE "${wheel}")
  endforeach()
  file(RENAME "${partial}" "${folder}")
endfunction()
