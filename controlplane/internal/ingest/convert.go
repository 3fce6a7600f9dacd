package ingest

import (
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	maxText     = 512                     // bytes of a name or code
	maxCount    = int64(1) << 50          // tokens, microseconds: sums of 64 stay in int64
	maxCostNano = int64(1e18) - 1         // Decimal(18, 9)
	maxEpochUS  = int64(4102444800) * 1e6 // year 2100
)

var errRange = errors.New("out of range")

// fromProtoRecord takes a record over. It sums what the attempts say and computes
// nothing else.
func fromProtoRecord(u *usagev1.UsageRecord) (row, error) {
	r := row{
		seq:                u.GetSeq(),
		surface:            surfaces.name(int32(u.GetSurface())),
		startedAt:          time.UnixMicro(u.GetStartedAtUs()).UTC(),
		durationUS:         u.GetDurationUs(),
		overheadUS:         u.GetOverheadUs(),
		timeToFirstTokenUS: u.GetTimeToFirstTokenUs(),
		routeName:          u.GetRoute(),
		streamed:           u.GetStreamed(),
		outcome:            outcomes.name(int32(u.GetOutcome())),
		errorCode:          u.GetErrorCode(),
		status:             uint16(u.GetStatus()),
		policyEpoch:        u.GetPolicyEpoch(),
		policyVersion:      u.GetPolicyVersion(),
		revocationVersion:  u.GetRevocationVersion(),
		tornBoot:           u.GetTornFrom().GetBoot(),
		tornLocalID:        u.GetTornFrom().GetLocalId(),
	}
	err := errors.Join(
		parseID("request_id", u.GetRequestId(), &r.requestID),
		parseID("project_id", u.GetProjectId(), &r.project),
		parseID("key_id", u.GetKeyId(), &r.key),
		parseID("route_id", u.GetRouteId(), &r.route),
		within("started_at_us", u.GetStartedAtUs(), maxEpochUS),
		within("duration_us", u.GetDurationUs(), maxCount),
		within("time_to_first_token_us", u.GetTimeToFirstTokenUs(), maxCount),
		within("overhead_us", u.GetOverheadUs(), maxCount),
		within("status", int64(u.GetStatus()), 999),
		short(u.GetRoute(), u.GetErrorCode(), u.GetTornFrom().GetBoot()),
		surfaces.known("surface", int32(u.GetSurface())),
		outcomes.known("outcome", int32(u.GetOutcome())),
		r.addFacts(u),
	)
	if r.requestID == uuid.Nil {
		err = errors.Join(err, errors.New("request_id is missing"))
	}
	if u.GetKind() == usagev1.Kind_KIND_TOMBSTONE {
		return r.addLoss(u, err)
	}
	return r.withAttempts(u.GetAttempts(), errors.Join(err, withoutLoss(u)))
}

func (r row) withAttempts(attempts []*usagev1.Attempt, err error) (row, error) {
	cost, priced := int64(0), true
	r.attempts = make([]attempt, 0, len(attempts))
	for _, u := range attempts {
		a, attemptErr := fromProtoAttempt(u)
		if err = errors.Join(err, attemptErr); err != nil {
			return row{}, err
		}
		r.attempts = append(r.attempts, a)
		r.total = r.total.plus(a.tokens)
		r.estimated = r.estimated || u.GetUsageSource() == usagev1.UsageSource_USAGE_SOURCE_ESTIMATED || u.GetPriceEstimated()
		r.lastProvider, r.lastModel, r.lastPriceBook = a.provider, a.model, a.priceBookVersion
		priced = priced && u.CostNanoUsd != nil
		if cost += u.GetCostNanoUsd(); cost > maxCostNano {
			return row{}, fmt.Errorf("cost %w", errRange)
		}
	}
	r.pricedUSD = nano(cost)
	if priced {
		r.costUSD = proto.NewNullable(r.pricedUSD)
	}
	return r, err
}

func fromProtoAttempt(u *usagev1.Attempt) (attempt, error) {
	a := attempt{
		provider:           u.GetProvider(),
		model:              u.GetModel(),
		startedAfterUS:     u.GetStartedAfterUs(),
		durationUS:         u.GetDurationUs(),
		timeToFirstTokenUS: u.GetTimeToFirstTokenUs(),
		status:             uint16(u.GetStatus()),
		outcome:            outcomes.name(int32(u.GetOutcome())),
		usageSource:        usageSources.name(int32(u.GetUsageSource())),
		cause:              causes.name(int32(u.GetCause())),
		serviceTier:        serviceTiers.name(int32(u.GetServiceTier())),
		priceEstimated:     u.GetPriceEstimated(),
		tokens:             tokensOf(u.GetUsage()),
		costUSD:            ifPriced(u.CostNanoUsd),
		cacheSavedUSD:      ifPriced(u.CacheSavedNanoUsd),
		priceBookVersion:   u.GetPriceBookVersion(),
		rawUsageSHA256:     string(u.GetRawUsageSha256()),
	}
	err := errors.Join(
		parseID("provider_id", u.GetProviderId(), &a.providerID),
		within("started_after_us", u.GetStartedAfterUs(), maxCount),
		withinImages(u.GetUsage()),
		within("duration_us", u.GetDurationUs(), maxCount),
		within("time_to_first_token_us", u.GetTimeToFirstTokenUs(), maxCount),
		within("status", int64(u.GetStatus()), 999),
		within("cost_nano_usd", u.GetCostNanoUsd(), maxCostNano),
		within("cache_saved_nano_usd", max(u.GetCacheSavedNanoUsd(), -u.GetCacheSavedNanoUsd()), maxCostNano),
		short(u.GetProvider(), u.GetModel(), u.GetPriceBookVersion(), a.rawUsageSHA256),
		outcomes.known("attempt's outcome", int32(u.GetOutcome())),
		usageSources.known("usage_source", int32(u.GetUsageSource())),
		withinTokens(a.tokens),
	)
	return a, err
}

// tokensOf has those of images with text.
func tokensOf(u *usagev1.TokenUsage) tokens {
	return tokens{
		textInput: withImages(u.GetInput(), u.GetInputImage()), cacheRead: u.GetCacheRead(), cacheWrite5m: u.GetCacheWrite_5M(),
		cacheWrite1h: u.GetCacheWrite_1H(), audioInput: u.GetInputAudio(),
		textOutput: withImages(u.GetOutput(), u.GetOutputImage()), reasoning: u.GetReasoning(), audioOutput: u.GetOutputAudio(),
	}
}

// withImages is no more than a bucket may be where neither part is.
func withImages(text, images int64) int64 {
	if images == 0 {
		return text
	}
	return min(text+images, maxCount)
}

// withinImages is of what tokensOf adds up.
func withinImages(u *usagev1.TokenUsage) error {
	if u.GetInputImage() == 0 && u.GetOutputImage() == 0 {
		return nil
	}
	return errors.Join(within("usage.input", u.GetInput(), maxCount), within("usage.input_image", u.GetInputImage(), maxCount),
		within("usage.output", u.GetOutput(), maxCount), within("usage.output_image", u.GetOutputImage(), maxCount))
}

func withinTokens(t tokens) (err error) {
	for _, n := range t.list() {
		err = errors.Join(err, within("tokens", n, maxCount))
	}
	return err
}

func (t tokens) list() [8]int64 {
	return [8]int64{t.textInput, t.cacheRead, t.cacheWrite5m, t.cacheWrite1h, t.audioInput, t.textOutput, t.reasoning, t.audioOutput}
}

func (t tokens) plus(o tokens) tokens {
	return tokens{
		textInput: t.textInput + o.textInput, cacheRead: t.cacheRead + o.cacheRead,
		cacheWrite5m: t.cacheWrite5m + o.cacheWrite5m, cacheWrite1h: t.cacheWrite1h + o.cacheWrite1h,
		audioInput: t.audioInput + o.audioInput, textOutput: t.textOutput + o.textOutput,
		reasoning: t.reasoning + o.reasoning, audioOutput: t.audioOutput + o.audioOutput,
	}
}

func ifPriced(cost *int64) proto.Nullable[nano] {
	if cost == nil {
		return proto.Null[nano]()
	}
	return proto.NewNullable(nano(*cost))
}

// positive is n, or NULL when there is none.
func positive(n int64) proto.Nullable[int64] {
	return proto.Nullable[int64]{Set: n > 0, Value: max(n, 0)}
}

func parseID(field, text string, into *uuid.UUID) error {
	if text == "" {
		return nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return fmt.Errorf("%s is no UUID", field)
	}
	*into = id
	return nil
}

func within(field string, n, most int64) error {
	if n < 0 || n > most {
		return fmt.Errorf("%s %w", field, errRange)
	}
	return nil
}

func short(texts ...string) error {
	for _, t := range texts {
		if len(t) > maxText {
			return fmt.Errorf("text of %d bytes", len(t))
		}
	}
	return nil
}
