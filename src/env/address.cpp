#include "env/network.h"
