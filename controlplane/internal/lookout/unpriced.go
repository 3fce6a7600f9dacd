package lookout

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/alert"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// A request counts once for each provider and model of which an attempt has no price, with
// the tokens of those attempts. Models are 100 an organization at most. The alert is of the day
// of the last of it, and not of the look: what is used just before midnight, or is seen late, is
// seen on the next day only.
const unpricedUsage = `
	SELECT organization_id, target.1 AS provider, target.2 AS model, toInt64(count()) AS requests,
		sum(arraySum((p, m, c, a, b, w, v, d) -> if(p = target.1 AND m = target.2 AND isNull(c), a + b + w + v + d, 0),
			attempt.provider, attempt.model, attempt.cost_usd, attempt.text_input_tokens, attempt.cache_read_tokens,
			attempt.cache_write_5m_tokens, attempt.cache_write_1h_tokens, attempt.audio_input_tokens)) AS input,
		sum(arraySum((p, m, c, a, r, d) -> if(p = target.1 AND m = target.2 AND isNull(c), a + r + d, 0),
			attempt.provider, attempt.model, attempt.cost_usd, attempt.text_output_tokens, attempt.reasoning_tokens, attempt.audio_output_tokens)) AS output,
		toStartOfDay(max(started_at), 'UTC') AS day
	FROM usage_event
	ARRAY JOIN arrayDistinct(arrayFilter((t, c) -> isNull(c), arrayZip(attempt.provider, attempt.model), attempt.cost_usd)) AS target
	WHERE unpriced AND started_at >= toDateTime(%d, 'UTC') AND started_at < toDateTime(%d, 'UTC')
	GROUP BY organization_id, provider, model
	ORDER BY organization_id, requests DESC, provider, model LIMIT 100 BY organization_id`

// unpriced finds models without a price that were used in the last 24 hours.
func (l *Lookout) unpriced(ctx context.Context, now time.Time) ([]finding, error) {
	now = now.Truncate(time.Second)
	from := now.Add(-24 * time.Hour)
	rows, err := l.ClickHouse.Query(ctx, fmt.Sprintf(unpricedUsage, from.Unix(), now.Unix()))
	if err != nil {
		return nil, fmt.Errorf("ask for usage without a price: %w", err)
	}
	defer rows.Close()
	var found []finding
	for rows.Next() {
		var organization uuid.UUID
		u := alert.Unpriced{From: from, To: now}
		if err := rows.Scan(&organization, &u.Provider, &u.Model, &u.Requests, &u.InputTokens, &u.OutputTokens, &u.Day); err != nil {
			return nil, fmt.Errorf("read usage without a price: %w", err)
		}
		found = append(found, finding{organization, eventv1.AlertKind_ALERT_KIND_UNPRICED_USAGE, u.Alert})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read usage without a price: %w", err)
	}
	return found, nil
}
