#include "base/crash_point.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/result.h"

namespace ff {
namespace {

struct Appointment {
  std::string name;
  long passings = 1;
  int signal = SIGKILL;

  Appointment() {
    const char* const text = std::getenv("FLEETFLOW_CRASH_AT");
    if (!text) return;
    name = text;
    if (const auto colon = name.find(':'); colon != std::string::npos) {
      passings = std::atol(name.c_str() + colon + 1);
      if (name.ends_with(":stop")) signal = SIGSTOP;
      name.resize(colon);
    }
  }
};

}  // namespace

void pass_crash_point(std::string_view name) {
  static Appointment appointment;
  if (appointment.name.empty()) return;
  FF_CHECK(std::find(crash_points.begin(), crash_points.end(), name) != crash_points.end());
  if (name == appointment.name && --appointment.passings == 0) ::kill(::getpid(), appointment.signal);
}

}  // namespace ff
