// fovea/worker-script: a module worker that serves a model. `fovea/worker` starts it; a worker of yours may import it.
import { serve } from "./worker/serve.ts";

serve();
