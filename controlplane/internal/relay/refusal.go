package relay

import (
	"fmt"
	"time"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// ReasonBatch is why the first batch of a call will never be taken as it is.
const ReasonBatch = "batch_refused"

// refusal names the batch that will never be taken; an outage is none.
func refusal(i int, err error) error {
	if fault.Is(err, fault.Unavailable) {
		return err
	}
	f := fault.Field(fmt.Sprintf("batches[%d]", i), "%s: it will never be taken as it is", err)
	f.Reason = ReasonBatch
	return f
}

// unknown is an outage of the registry.
func unknown(err error) *fault.Error {
	f := fault.Unanswered(err, "store_unavailable", "agents and gateways can't be looked up now; send the same again later")
	f.RetryAfter = time.Second
	return f
}
