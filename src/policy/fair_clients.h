// Who has requests in the app or waiting for it: one record a client, for as long as it has any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace weir::policy {

/// A client's key, hashed with a seed of the process: all bits are well mixed and cannot be chosen. Two
/// clients that share a hash would merely take turns as one.
using ClientKey = uint64_t;

struct FairClient;

/// One waiting request: a node of its client's list, embedded in what its owner keeps.
struct FairEntry {
    FairEntry* older = nullptr;
    FairEntry* newer = nullptr;
    FairClient* client = nullptr;  ///< nullptr: does not wait
    uint64_t arrival = 0;          ///< rises from entry to entry
    size_t bytes = 0;
};

struct FairClient {
    ClientKey key = 0;
    FairClient* next = nullptr;  ///< in its bucket, or among the spare records
    FairEntry* oldest = nullptr;
    FairEntry* newest = nullptr;
    uint64_t turn = 0;  ///< of those with as many in service, the lowest is served first
    uint32_t in_service = 0;
    uint32_t waiting = 0;
    uint32_t order_index = 0;
    uint32_t length_index = 0;
};
static_assert(sizeof(FairClient) <= 64);

/// A hash table of records with a pool of its own: a record's address stays, and finding, making and dropping
/// one are O(1) and allocate only where more clients are active at once than ever before. That bounds the
/// memory by (slots + queue size) records.
class FairClients {
  public:
    FairClients() = default;
    FairClients(const FairClients&) = delete;
    FairClients& operator=(const FairClients&) = delete;

    [[nodiscard]] FairClient& find_or_make(ClientKey);
    void drop(FairClient&);
    [[nodiscard]] size_t size() const { return size_; }
    [[nodiscard]] size_t records() const { return records_.size(); }  ///< spare ones too

  private:
    [[nodiscard]] FairClient*& bucket(ClientKey key) { return buckets_[key & (buckets_.size() - 1)]; }
    void grow();

    std::vector<FairClient*> buckets_ = std::vector<FairClient*>(64);  ///< always a power of two of them
    std::deque<FairClient> records_;
    FairClient* spare_ = nullptr;
    size_t size_ = 0;
};

}  // namespace weir::policy
