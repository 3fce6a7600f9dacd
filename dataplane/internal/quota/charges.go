package quota

import usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"

// AppendCharges tells what the request takes of amounts: what it reserved, or, where actual
// is given, what Settle is about to be given. Before Settle and Release.
func (r *Reservation) AppendCharges(to []*usagev1.Charge, actual []int64) []*usagev1.Charge {
	for i := range r.n {
		h := r.at(i)
		if h.window == nil {
			continue
		}
		amount := h.amount
		if i < len(actual) {
			amount = min(max(actual[i], 0), maxAmount)
		}
		if amount > 0 {
			to = append(to, h.charge(&usagev1.Charge{}, amount))
		}
	}
	return to
}
