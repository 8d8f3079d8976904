// Tests of the Postgres source against a real server (tests/live/check_postgres.py starts it).
#include "database.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (ff::testing::server().empty()) {
    std::fprintf(stderr, "postgres_live: FLEETFLOW_TEST_POSTGRES must be the conninfo of a server's superuser\n");
    return 2;
  }
  return RUN_ALL_TESTS();
}
