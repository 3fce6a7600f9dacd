interface LoadMoreProps {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
  onLoad?: () => void;
}

/** LoadMore asks for the next part of a list, where there is one. */
export function LoadMore({ query, onLoad }: LoadMoreProps) {
  if (!query.hasNextPage) return null;
  const load = () => {
    onLoad?.();
    void query.fetchNextPage();
  };
  return (
    <div className="load-more">
      <button type="button" className="button" disabled={query.isFetchingNextPage} onClick={load}>
        {query.isFetchingNextPage ? "Loading…" : "Load more"}
      </button>
    </div>
  );
}
