# The build-time half of embed.cmake: writes the header and the source of one
# embedded file. Raw string literals are cut into pieces, because compilers may
# refuse a very long one; neighbouring literals join again.
file(READ ${file} text)
string(LENGTH "${text}" length)
set(pieces "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} 8000 piece)
  string(APPEND pieces "\n    R\"~ff~(${piece})~ff~\"")
  math(EXPR at "${at} + 8000")
endwhile()
if(pieces STREQUAL "")
  set(pieces " \"\"")
endif()
file(WRITE ${header} "#pragma once
#include <string_view>
namespace ff::embedded {
extern const std::string_view ${symbol};
}
")
file(WRITE ${source} "#include \"embedded/${symbol}.h\"
namespace ff::embedded {
constinit const std::string_view ${symbol} =${pieces};
}
")
