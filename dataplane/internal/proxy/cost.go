package proxy

import "strconv"

// costTrailer announces what a stream's cost is told by, when it is over: RFC 9110 section
// 6.6.2. Callers that know no trailers pass over it; HTTP/1.0 has none.
var costTrailer = []string{"X-Weir-Cost"}

// tellCost says what the request cost, as its record does: all attempts, those that failed
// too. Nothing is said where one has no known cost. The header was not written yet, or it
// announced the trailer.
func (e *exchange) tellCost() {
	var sum int64 // each is bounded so that it fits
	for _, attempt := range e.record.Attempts {
		if attempt.CostNanoUsd == nil {
			return
		}
		sum += *attempt.CostNanoUsd
	}
	if len(e.record.Attempts) > 0 {
		e.w.Header()["X-Weir-Cost"] = []string{dollars(sum)}
	}
}

// announceCost is for answers whose header goes before they are priced, or are found to have
// no price.
func (e *exchange) announceCost() { e.w.Header()["Trailer"] = costTrailer }

// dollars writes nano-dollars, not below 0, with nine decimals.
func dollars(nano int64) string {
	const one = 1_000_000_000
	text := strconv.AppendInt(make([]byte, 0, 24), nano/one, 10)
	at := len(text)
	text = strconv.AppendInt(text, one+nano%one, 10) // a digit that becomes the point
	text[at] = '.'
	return string(text)
}

// tellRoute names the route that serves the request.
func (e *exchange) tellRoute() { e.w.Header()["X-Weir-Route"] = e.route.Header }
