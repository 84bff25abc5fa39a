// What a call fails with, for tests that look at the message.
#pragma once

#include <string>

#include "error.h"

namespace vigor {

template <typename Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace vigor
