#include "policy/fair_clients.h"

#include <cassert>
#include <utility>

namespace weir::policy {

FairClient& FairClients::find_or_make(ClientKey key) {
    for (FairClient* client = bucket(key); client != nullptr; client = client->next) {
        if (client->key == key) return *client;
    }
    if (size_ == buckets_.size()) grow();
    FairClient* client = spare_;
    if (client != nullptr) {
        spare_ = client->next;
    } else {
        client = &records_.emplace_back();
    }
    *client = FairClient{.key = key, .next = std::exchange(bucket(key), client)};
    ++size_;
    return *client;
}

void FairClients::drop(FairClient& client) {
    assert(client.in_service == 0 && client.waiting == 0);
    FairClient** at = &bucket(client.key);
    while (*at != &client) at = &(*at)->next;
    *at = client.next;
    client.next = std::exchange(spare_, &client);
    --size_;
}

void FairClients::grow() {
    std::vector<FairClient*> old(2 * buckets_.size());
    old.swap(buckets_);
    for (FairClient* client : old) {
        while (client != nullptr) {
            FairClient* const next = client->next;
            client->next = std::exchange(bucket(client->key), client);
            client = next;
        }
    }
}

}  // namespace weir::policy
