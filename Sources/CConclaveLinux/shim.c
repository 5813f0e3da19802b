#include "CConclaveLinux.h"
