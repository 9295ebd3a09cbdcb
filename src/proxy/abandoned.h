// What the app still works on though its client has left: the slots stay taken until it is done.
#pragma once

#include <memory>
#include <vector>

#include "proxy/slots.h"
#include "proxy/upstream_set.h"

namespace weir::proxy {

struct Kit;

/// An app that cannot tell that its client is gone (a WSGI worker, say) goes on working. Were the slot given
/// to the next request at once, clients that ask, leave and ask again would bring more requests into the app
/// than the cap allows. So the connection is closed in one direction only: an app that looks sees it and may
/// give up; either way its answer, or its end of the connection, says when it is done.
///
/// No more of them than slots, and none beyond its request's deadline. Thread: its worker's.
class Abandoned {
  public:
    explicit Abandoned(Kit& kit);
    ~Abandoned();
    Abandoned(const Abandoned&) = delete;
    Abandoned& operator=(const Abandoned&) = delete;

    /// Of a request that is sent, and to which no answer has come.
    struct Kept {
        PlanPin plan;  ///< whose caps gave the permits; ends last
        Leased leased;
        Slots::Permits permits;
    };
    void keep(Kept kept, Time until);
    /// Gives all of it up, whatever the app is at.
    void shut();
    [[nodiscard]] size_t size() const { return all_.size(); }

  private:
    class Request;
    void forget(Request&);

    Kit& kit_;
    std::vector<std::unique_ptr<Request>> all_;
};

}  // namespace weir::proxy
