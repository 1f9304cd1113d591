import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, body } from "../../api/client";
import { Problem } from "../../api/problem";
import type { components } from "../../api/schema";
import type { Health, UserChange, UserItem, UserPage } from "./types";

const USERS = 50;

const users = ["admin", "users"] as const;

export function useUsers() {
  return useInfiniteQuery({
    queryKey: users,
    initialPageParam: "",
    getNextPageParam: (last: UserPage) => last.next_cursor || undefined,
    queryFn: async ({ pageParam, signal }): Promise<UserPage> => {
      const query = pageParam ? { limit: USERS, cursor: pageParam } : { limit: USERS };
      return body(await api.GET("/api/v1/admin/users", { params: { query }, signal }));
    },
  });
}

export function useUser(id: string) {
  return useQuery({
    queryKey: [...users, id],
    queryFn: async ({ signal }): Promise<UserItem> =>
      body(await api.GET("/api/v1/admin/users/{id}", { params: { path: { id } }, signal })),
  });
}

export type NewUser = components["schemas"]["NewUser"];

export function useCreateUser() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (user: NewUser) => body(await api.POST("/api/v1/admin/users", { body: user })),
    onSettled: () => client.invalidateQueries({ queryKey: users }),
  });
}

/** A change of one user: the roles, what else an administrator looks after, or whether they may sign in. */
export type Change = { roles: string[]; patient_id?: string } | UserChange | "lock" | "unlock" | "reset-mfa";

export function useChangeUser(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (change: Change) => {
      const params = { path: { id } };
      return typeof change === "string"
        ? await api.POST(`/api/v1/admin/users/{id}/${change as "lock"}`, { params })
        : await api.PATCH("/api/v1/admin/users/{id}", { params, body: change as components["schemas"]["UserChange"] });
    },
    onSettled: () => client.invalidateQueries({ queryKey: users }),
  });
}

/** How every part is. A server that is not well says so with 503, which is an answer and no failure. */
export function useHealth() {
  return useQuery({
    queryKey: ["admin", "health"],
    queryFn: async ({ signal }): Promise<Health> => {
      try {
        return body(await api.GET("/health/detailed", { signal })) as unknown as Health;
      } catch (error) {
        if (error instanceof Problem && "components" in error.document) return error.document as unknown as Health;
        throw error;
      }
    },
  });
}

export function useDashboard() {
  return useQuery({
    queryKey: ["admin", "dashboard"],
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/admin/dashboard", { signal })),
  });
}

export function useKeys() {
  return useQuery({
    queryKey: ["admin", "keys"],
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/keys", { signal })),
  });
}
