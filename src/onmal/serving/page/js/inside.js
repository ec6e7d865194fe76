export async function startInside() {}
