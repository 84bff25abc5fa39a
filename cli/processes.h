// The processes that work together: of mpirun, or this one alone. One of group_mpi.cpp and
// no_mpi.cpp is built (CMake's VIGOR_MPI).
#pragma once

#include "group.h"

namespace vigor {

/// Of main alone: starts MPI where a launcher such as mpirun started this process, before any
/// thread is. Threads times processes of a machine are from here on no more than its cores. Throws
/// Error: started as one of many, but built without MPI.
void start_processes();
/// Waits for the others.
void end_processes();
/// Ends all of them. Returns where there is but this one.
void abort_processes(int code);

/// Once started.
Group& processes();
inline bool is_first() { return processes().rank() == 0; }

}  // namespace vigor
