import { Link } from "@tanstack/react-router";

import { mayListKeys, useLivingKeys } from "../../api/key";
import type { Project } from "../../api/project";
import { mayGetProject } from "../../api/project";
import { dateOf } from "../../api/time";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";
import { counted } from "../budgets/words";
import { useMay, useMaySomewhere } from "../session/permission";
import type { MonthSpend } from "../usage/groups";
import { useMonthSpend } from "../usage/groups";
import { MonthSpendCell } from "../usage/MonthSpendCell";

// More keys than are read at once are not counted.
const mostKeys = 2_000;

/** ProjectTable lists projects; a name opens the details. */
export function ProjectTable({ projects }: { projects: readonly Project[] }) {
  const spend = useMonthSpend("project");
  const keys = useLivingKeys(useMaySomewhere()(mayListKeys));
  const count = (id: string) => (keys && keys.size < mostKeys ? [...keys.values()].filter(({ projectId }) => projectId === id).length : undefined);
  return (
    <Scroller label="Projects">
      <table className="table table-rows projects-table">
        <thead>
          <tr>
            <th scope="col">Project</th>
            <th scope="col" className="num wide-only">
              Keys
            </th>
            <th scope="col" className="num wide-only">
              Weight
            </th>
            {spend && (
              <th scope="col" className="num">
                Spend in {spend.month}
              </th>
            )}
            <th scope="col" className="wide-only">
              Created
            </th>
          </tr>
        </thead>
        <tbody>
          {projects.map((project) => (
            <Row key={project.id} project={project} keys={count(project.id)} spend={spend} />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

interface RowProps {
  project: Project;
  /** How many that are not revoked; undefined: not known. */
  keys: number | undefined;
  spend: MonthSpend | undefined;
}

function Row({ project, keys, spend }: RowProps) {
  const may = useMay();
  const title = project.displayName || project.name;
  return (
    <tr>
      <th scope="row" className="anywhere">
        {may(mayGetProject, project.id) ? (
          <Link to="/projects" search={{ project: project.id }} className="row-link">
            {title}
          </Link>
        ) : (
          title
        )}
        {title !== project.name && (
          <div className="muted project-name">
            <code>{project.name}</code>
          </div>
        )}
        <div className="narrow-only stacked">
          {keys !== undefined && `${counted(keys, "key")}, `}weight {project.weight || 1}
          <div>
            Created <Time at={dateOf(project.createdAt)} precision="day" />
          </div>
        </div>
      </th>
      <td className="num wide-only">{keys ?? <span className="muted">–</span>}</td>
      <td className="num wide-only">{project.weight || 1}</td>
      {spend && <MonthSpendCell nano={spend.of(project.id)} />}
      <td className="wide-only">
        <Time at={dateOf(project.createdAt)} precision="minute" />
      </td>
    </tr>
  );
}
