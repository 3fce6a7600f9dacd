package ingest

import (
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"
)

// row is one request, or a tombstone, as ClickHouse stores it, without where it came from.
type row struct {
	seq                                           int64
	requestID, project, key, route                uuid.UUID
	surface, routeName, outcome, errorCode        string
	startedAt                                     time.Time
	durationUS, overheadUS                        int64
	timeToFirstTokenUS                            int64 // 0: none
	streamed                                      bool
	status                                        uint16
	policyEpoch, policyVersion, revocationVersion int64
	tornBoot                                      string
	tornLocalID                                   int64
	attempts                                      []attempt
	total                                         tokens
	pricedUSD                                     nano
	costUSD                                       proto.Nullable[nano]
	estimated                                     bool
	lastProvider, lastModel, lastPriceBook        string
	kind, endUser, runID                          string
	parent                                        uuid.UUID
	labels                                        labels
	candidates                                    []candidate
	refusedBy                                     uuid.UUID   // zero: by no quota
	beyond                                        []uuid.UUID // quotas
	queuedUS                                      int64
	lost                                          lost // of a tombstone
}

type attempt struct {
	providerID                  uuid.UUID
	provider, model             string
	startedAfterUS, durationUS  int64
	timeToFirstTokenUS          int64 // 0: none
	status                      uint16
	outcome, usageSource, cause string
	serviceTier                 string
	priceEstimated              bool
	tokens                      tokens
	costUSD, cacheSavedUSD      proto.Nullable[nano]
	priceBookVersion            string
	rawUsageSHA256              string
}

// tokens are the disjoint buckets in the order of the columns.
type tokens struct {
	textInput, cacheRead, cacheWrite5m, cacheWrite1h, audioInput int64
	textOutput, reasoning, audioOutput                           int64
}

// month in which a row is stored: 202611.
func (r row) month() int {
	year, month, _ := r.startedAt.Date()
	return year*100 + int(month)
}
