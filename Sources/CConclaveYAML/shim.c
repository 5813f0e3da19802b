#include "CConclaveYAML.h"
