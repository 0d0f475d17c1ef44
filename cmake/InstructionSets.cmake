# Prepares sources that include <hwy/foreach_target.h>, which compiles them once for each instruction set; each of them
# is a unit of its own.
#
# Without these flags, Highway 1.0.3 takes GCC 12's scalar code for the least instruction set, and that has no
# shuffles. Every x86-64 processor since 2011 has what they ask for.
function(unroll_compile_for_every_instruction_set)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set_source_files_properties(${ARGN} PROPERTIES
      COMPILE_OPTIONS "-msse4.2;-maes;-mpclmul"
      COMPILE_DEFINITIONS HWY_BROKEN_EMU128=0)
  endif()
endfunction()
