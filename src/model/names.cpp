#include "model/delivery.h"
