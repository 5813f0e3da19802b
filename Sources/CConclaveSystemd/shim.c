#include "CConclaveSystemd.h"
