#include "base/siphash.h"

#include <cstdlib>

#include <sys/random.h>

namespace weir {

HashSeed HashSeed::random() {
    HashSeed seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) std::abort();
    return seed;
}

}  // namespace weir
