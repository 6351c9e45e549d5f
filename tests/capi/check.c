#include "check.h"

atomic_int check_passed;
atomic_int check_failed;
const char* check_test = "";
