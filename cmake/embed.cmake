# cmake -DINPUT=FILE -DOUTPUT=FILE.cc -DNAME=kName -P embed.cmake: the file as a string_view glasspost::agent::kName.
file(READ "${INPUT}" text)
string(FIND "${text}" ")embedded\"" ending)
if(NOT ending EQUAL -1)
  message(FATAL_ERROR "${INPUT} has the end of a raw string in it")
endif()
file(WRITE "${OUTPUT}" "// Made by cmake/embed.cmake; do not edit.
#include <string_view>

namespace glasspost::agent {
extern const std::string_view ${NAME};
const std::string_view ${NAME} = R\"embedded(${text})embedded\";
}  // namespace glasspost::agent
")
