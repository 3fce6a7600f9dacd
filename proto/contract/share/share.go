// Package share splits a rate, or slots, among the agents that ask for it. The ledger does; the
// agent's tests hold its meter against the same rule.
package share

import "time"

const (
	// Term is for how long a share is good, from the answer on, and Margin how much longer it
	// counts for the ledger: for the way of the answer. Both together are how long it takes
	// until a share is where the demand has moved to.
	Term   = 1500 * time.Millisecond
	Margin = 500 * time.Millisecond
	// turn is how long what can't be split stays with one agent.
	turn = 4 * time.Second
)

// Split is each agent's part of an amount, by their demands in an order that stays. Each has a
// floor, at most its demand and a quarter of an even part; the rest is split in proportion to
// the demands. Nobody gets more than double its demand and the floor: what nobody could use is
// free for who comes. Units that can't be split go around.
func Split(demands []int64, amount int64, now time.Time) []int64 {
	parts, rest := split(demands, amount)
	if len(parts) == 0 {
		return parts
	}
	rest = fill(parts, demands, rest)
	first := int(now.UnixNano() / int64(turn) % int64(len(parts)))
	for i := range parts {
		if at := (first + i) % len(parts); rest > 0 && parts[at] < demands[at] {
			parts[at], rest = parts[at]+1, rest-1
		}
	}
	return parts
}

// split gives whole units; what is left is less than one for each agent, or of no use.
func split(demands []int64, amount int64) (parts []int64, rest int64) {
	all, floors := 0.0, int64(0)
	floor := amount / max(int64(4*len(demands)), 1)
	for _, demand := range demands {
		all += float64(demand)
		floors += min(demand, floor)
	}
	rest = amount
	for _, demand := range demands {
		mine := min(demand, floor)
		mine += int64(float64(amount-floors) * (float64(demand) / max(all, 1)))
		mine = min(mine, double(demand, floor), rest)
		parts, rest = append(parts, mine), rest-mine
	}
	return parts, rest
}

// fill gives what is left to those who have less than they ask for, evenly, while there is one
// for each of them.
func fill(parts, demands []int64, rest int64) (left int64) {
	for {
		short := int64(0)
		for i := range parts {
			if parts[i] < demands[i] {
				short++
			}
		}
		if short == 0 || rest < short {
			return rest
		}
		each := rest / short
		for i := range parts {
			if more := min(each, demands[i]-parts[i]); more > 0 {
				parts[i], rest = parts[i]+more, rest-more
			}
		}
	}
}

// double is twice the demand and the floor, or the most there is.
func double(demand, floor int64) int64 {
	const most = int64(1) << 62
	if demand > (most-floor)/2 {
		return most
	}
	return 2*demand + floor
}
