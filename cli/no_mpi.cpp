#include <cstdlib>

#include "error.h"
#include "processes.h"

namespace vigor {

void start_processes() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    const char* size = std::getenv(name);
    if (size != nullptr && std::atoi(size) > 1) {
      fail("mpirun", "this program was built without MPI (CMake option VIGOR_MPI): start it alone");
    }
  }
}

void end_processes() {}

void abort_processes(int) {}

Group& processes() {
  static Group alone;
  return alone;
}

}  // namespace vigor
