// SPDX-License-Identifier: MIT
// rowsmith on the command line.
#include "program.hpp"

#ifdef ROWSMITH_PROGRAM_MPI
#include <algorithm>
#include <array>
#include <cstdlib>

#include <rowsmith/distributed/mpi.hpp>

int main(int argc, char** argv) {
  // What Open MPI, MPICH and Slurm tell the processes that they start; alone, MPI is not needed.
  constexpr std::array variables{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"};
  if (std::none_of(variables.begin(), variables.end(), [](const char* name) { return std::getenv(name); }))
    return program::run_program(argc, argv);
  const rowsmith::MpiSession session(argc, argv);
  const rowsmith::MpiTeam team;
  const int code = program::run_program(argc, argv, &team);
  if (code != 0)
    rowsmith::MpiSession::end_job(code); // the others may wait for this one
  return code;
}
#else
int main(int argc, char** argv) { return program::run_program(argc, argv); }
#endif
