// SPDX-License-Identifier: MIT
// rowsmith on the command line.
#include "program.hpp"

#ifdef ROWSMITH_PROGRAM_MPI
#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include <rowsmith/distributed/mpi.hpp>

int main(int argc, char** argv) {
  // What Open MPI, MPICH and Slurm tell the processes that they start; alone, MPI is not needed.
  constexpr std::array variables{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"};
  if (std::none_of(variables.begin(), variables.end(), [](const char* name) { return std::getenv(name); }))
    return program::run_program(argc, argv);
  const rowsmith::MpiSession session(argc, argv);
  // For a network that is slower or faster than most, and for the tests, which have one machine.
  using Sending = rowsmith::MpiTeam::Sending;
  const char* said = std::getenv("ROWSMITH_SENDING");
  const std::string_view sending = said == nullptr ? "by-machine" : said;
  if (sending != "by-machine" && sending != "early" && sending != "at-once") {
    std::cerr << "rowsmith: ROWSMITH_SENDING is '" << sending << "'; expected by-machine, early or at-once\n";
    rowsmith::MpiSession::end_job(2);
  }
  const rowsmith::MpiTeam team(MPI_COMM_WORLD, sending == "early"     ? Sending::early
                                               : sending == "at-once" ? Sending::at_once
                                                                      : Sending::by_machine);
  const int code = program::run_program(argc, argv, &team);
  if (code != 0)
    rowsmith::MpiSession::end_job(code); // the others may wait for this one
  return code;
}
#else
int main(int argc, char** argv) { return program::run_program(argc, argv); }
#endif
